"""Who may use the dashboard: the staff of the project, by the login of Django."""

from importlib import import_module

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.db import close_old_connections
from django.http import HttpRequest
from starlette.requests import Request
from tallystick_dashboard import Permission, User


@sync_to_async
def staff(request: Request) -> User | None:
    """Return the user of Django's session if they are staff. A superuser may take each action."""
    of_django = HttpRequest()
    sessions = import_module(settings.SESSION_ENGINE)
    of_django.session = sessions.SessionStore(request.cookies.get(settings.SESSION_COOKIE_NAME))
    close_old_connections()  # as Django does around its own requests
    try:
        user = get_user(of_django)
    finally:
        close_old_connections()
    if not user.is_staff:
        return None
    return User(name=user.get_username(), permissions=frozenset(Permission) if user.is_superuser else frozenset())
