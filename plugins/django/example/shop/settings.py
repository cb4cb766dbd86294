"""The settings of the example project. The tests set SHOP_FOLDER, SHOP_POSTGRES and SHOP_CODEC."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from shop.codecs import Reversed

FOLDER = Path(os.environ["SHOP_FOLDER"])
SECRET_KEY = "only-for-tests"
USE_TZ = True
ROOT_URLCONF = "shop.urls"
ALLOWED_HOSTS = ["localhost"]  # a test run adds "testserver"
INSTALLED_APPS = ["tallystick_django", "shop"]
INSTALLED_APPS += [f"django.contrib.{name}" for name in ("auth", "contenttypes", "sessions")]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

DATABASES: dict[str, Any]
if url := os.environ.get("SHOP_POSTGRES"):
    parts = urlsplit(url)
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": parts.path.removeprefix("/"),
            "USER": parts.username or "",
            "PASSWORD": parts.password or "",
            "HOST": parts.hostname or "",
            "PORT": parts.port or "",
        }
    }
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": FOLDER / "shop.sqlite3",
            "OPTIONS": {"transaction_mode": "IMMEDIATE"},
            "TEST": {"NAME": FOLDER / "test.sqlite3"},
        }
    }

TALLYSTICK: dict[str, Any]
TALLYSTICK = {"DATABASE": "default", "CONCURRENCY": 2}
if "SHOP_CODEC" in os.environ:
    TALLYSTICK["CODEC"] = Reversed()
TASKS = {
    "default": {"BACKEND": "tallystick_django.tasks.TallystickTasks", "QUEUES": ["default", "mail"]},
    "patient": {"BACKEND": "tallystick_django.tasks.TallystickTasks", "OPTIONS": {"max_attempts": 2}},
}
