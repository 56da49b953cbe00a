from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds Run.pruned_at."""

    dependencies = [
        ('store', '0022_leaving'),
    ]

    operations = [
        migrations.AddField(
            model_name='run',
            name='pruned_at',
            field=models.DateTimeField(null=True),
        ),
    ]
