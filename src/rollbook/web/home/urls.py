"""Addresses of the first page."""

from django.urls import path

from rollbook.web.home import views

urlpatterns = [path("", views.home, name="home")]
