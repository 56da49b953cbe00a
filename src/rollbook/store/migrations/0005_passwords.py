"""First passwords: claim codes, attempts to guess them, passwords being set, runs that set passwords."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds ClaimCode, ClaimAttempt and Run.purpose."""

    dependencies = [
        ('store', '0004_licence_groups'),
    ]

    operations = [
        migrations.AddField(
            model_name='run',
            name='purpose',
            field=models.CharField(choices=[('synchronization', 'Synchronization'), ('passwords', 'Passwords')], default='synchronization', max_length=16),
        ),
        migrations.AlterField(
            model_name='secret',
            name='purpose',
            field=models.CharField(choices=[('credential', 'Credential'), ('first_password', 'First Password'), ('next_password', 'Next Password')], max_length=16),
        ),
        migrations.CreateModel(
            name='ClaimAttempt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('beginning', models.CharField(max_length=64)),
                ('at', models.DateTimeField()),
            ],
            options={
                'indexes': [models.Index(models.F('at'), name='claim_attempt_at'), models.Index(models.F('beginning'), models.F('at'), name='claim_attempt_beginning')],
            },
        ),
        migrations.CreateModel(
            name='ClaimCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('made_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('secret', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='claim', to='store.secret')),
            ],
        ),
    ]
