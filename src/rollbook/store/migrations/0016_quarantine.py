from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0015_guards'),
    ]

    operations = [
        migrations.AddField(
            model_name='answer',
            name='request_id',
            field=models.CharField(default='', max_length=64),
        ),
        migrations.AddField(
            model_name='connection',
            name='failing_since',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='connection',
            name='failures',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='connection',
            name='notice',
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name='connection',
            name='retry_at',
            field=models.DateTimeField(null=True),
        ),
    ]
