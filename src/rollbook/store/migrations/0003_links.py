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
        migrations.AddField(
            model_name='linkhistory',
            name='actor',
            field=models.CharField(blank=True, default='', max_length=255),
        ),
        migrations.AddField(
            model_name='linkhistory',
            name='before',
            field=models.CharField(max_length=64, null=True),
        ),
        migrations.AddField(
            model_name='linkhistory',
            name='mark',
            field=models.CharField(max_length=32, null=True),
        ),
        migrations.AddField(
            model_name='linkhistory',
            name='reason',
            field=models.CharField(blank=True, default='', max_length=255),
        ),
        migrations.AddField(
            model_name='tenant',
            name='default_domain',
            field=models.CharField(blank=True, default='', max_length=255),
        ),
        migrations.AlterField(
            model_name='linkhistory',
            name='object_id',
            field=models.CharField(max_length=64, null=True),
        ),
        migrations.AlterField(
            model_name='linkhistory',
            name='origin',
            field=models.CharField(blank=True, max_length=8),
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
        migrations.CreateModel(
            name='Decision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('refused', 'Refused'), ('new', 'New'), ('nobody', 'Nobody')], max_length=8)),
                ('object_id', models.CharField(blank=True, default='', max_length=64)),
                ('actor', models.CharField(max_length=255)),
                ('reason', models.CharField(blank=True, default='', max_length=255)),
                ('at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True)),
                ('link', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='decisions', to='store.link')),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='store.tenant')),
            ],
            options={
                'indexes': [models.Index(models.F('tenant'), models.F('ended_at'), name='decision_in_force')],
            },
        ),
        migrations.CreateModel(
            name='ProtectedAccount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('object_id', models.CharField(max_length=64)),
                ('kind', models.CharField(choices=[('kept', 'Kept'), ('refused', 'Refused')], max_length=8)),
                ('reason', models.CharField(max_length=255)),
                ('actor', models.CharField(max_length=255)),
                ('run', models.BigIntegerField(null=True)),
                ('at', models.DateTimeField()),
                ('tenant', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='store.tenant')),
            ],
            options={
                'constraints': [models.UniqueConstraint(models.F('tenant'), models.F('object_id'), name='protected_account')],
            },
        ),
    ]
