"""Addresses of runs."""

from django.urls import path

from rollbook.web.runs import views

urlpatterns = [
    path("<uuid:public_id>/", views.run, name="run"),
    path("<uuid:public_id>/progress/", views.progress, name="run-progress"),
    path("<uuid:public_id>/changes/", views.changes, name="run-changes"),
    path("<uuid:public_id>/changes.csv", views.changes_csv, name="run-changes-csv"),
    path("<uuid:public_id>/changes.json", views.changes_json, name="run-changes-json"),
]
