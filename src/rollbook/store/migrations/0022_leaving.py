"""Whoever is in a group until somebody agrees that they leave is told apart from whoever is kept by a rule."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """A number more of each group of a proof."""

    dependencies = [("store", "0021_account_before")]

    operations = [
        migrations.AddField(
            model_name="proofgroup",
            name="leaving",
            field=models.PositiveIntegerField(default=0),
        ),
    ]
