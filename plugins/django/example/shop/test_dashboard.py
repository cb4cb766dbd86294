"""The dashboard of the project, for users who are logged in to Django."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.test import TransactionTestCase
from starlette.testclient import TestClient
from tallystick.testing import manual
from tallystick_django import get_runner

from shop.actions import place_order

BROWSER = {"accept": "text/html", "sec-fetch-site": "same-origin"}


class Dashboard(TransactionTestCase):
    """Staff see the jobs, and superusers change them."""

    def setUp(self) -> None:
        """Place an order, whose job waits."""
        self.enterContext(manual(get_runner()))
        self.job = place_order().id

    def visitor(self, name: str, **rights: bool) -> Any:
        """Return a client of the ASGI application with the session of a user."""
        from shop.asgi import application  # noqa: PLC0415  # it sets Django up

        client = TestClient(application, base_url="http://testserver", headers=BROWSER, follow_redirects=False)
        if rights:
            self.client.force_login(User.objects.create_user(name, **rights))
            client.cookies.set(settings.SESSION_COOKIE_NAME, self.client.cookies[settings.SESSION_COOKIE_NAME].value)
        return client

    def test_a_stranger_and_a_customer_see_nothing(self) -> None:
        """Only staff may enter. The rest of the site is Django's."""
        for client in (self.visitor("stranger"), self.visitor("customer", is_staff=False)):
            assert client.get(f"/tallystick/jobs/{self.job}").status_code in (401, 403)
            assert client.get("/").status_code == 404

    def test_staff_may_read(self) -> None:
        """They see the job, and cannot cancel it."""
        client = self.visitor("ada", is_staff=True)
        assert "orders:ship" in client.get(f"/tallystick/jobs/{self.job}").text
        assert client.post(f"/tallystick/jobs/{self.job}/cancel").status_code == 403

    def test_a_superuser_may_cancel(self) -> None:
        """The action changes the job."""
        client = self.visitor("root", is_staff=True, is_superuser=True)
        assert client.post(f"/tallystick/jobs/{self.job}/cancel").status_code == 303
        assert get_runner().get(self.job).state == "cancelled"
