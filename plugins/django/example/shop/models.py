"""The rows of the example project."""

from django.db import models


class Order(models.Model):
    """An order of a customer."""

    shipped = models.BooleanField(default=False)
