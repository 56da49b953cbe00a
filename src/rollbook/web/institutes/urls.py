"""Addresses of schools."""

from django.urls import path

from rollbook.web.institutes import views

urlpatterns = [path("<uuid:public_id>/", views.institute, name="institute")]
