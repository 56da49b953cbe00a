"""Links are kept by people too: a mirror of accounts, who decided what, what is never touched."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('store', '0002_profile_ever_enabled'),
    ]

    operations = [
        migrations.AddField(
            model_name='link',
            name='disabled_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name='Account',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('object_id', models.CharField(max_length=64)),
                ('user_principal_name', models.CharField(max_length=320)),
                ('mail', models.CharField(max_length=320, null=True)),
                ('account_enabled', models.BooleanField()),
                ('seen_at', models.DateTimeField()),
                ('written_at', models.DateTimeField(null=True)),
                ('link', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='account', to='store.link')),
                ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='store.tenant')),
            ],
        ),
    ]
