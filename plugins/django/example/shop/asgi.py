"""The ASGI application of the example project, with the dashboard at `/tallystick`."""

from django.conf import settings
from django.core.asgi import get_asgi_application

site = get_asgi_application()  # first: it sets Django up

from starlette.applications import Starlette  # noqa: E402
from starlette.routing import Mount  # noqa: E402
from tallystick_dashboard import dashboard  # noqa: E402
from tallystick_django import get_runner  # noqa: E402

from shop.dashboard import staff  # noqa: E402

jobs = dashboard(get_runner(), authenticate=staff, allowed_hosts=tuple(settings.ALLOWED_HOSTS))
application = Starlette(routes=[Mount("/tallystick", jobs), Mount("/", site)])
