"""Suggestions for URLs of other libraries and databases: what to write in Tallystick."""

import re
from difflib import get_close_matches

_POSTGRES = "write postgresql://user@host/database; the driver is always psycopg 3"
_MONGO = "write mongodb://host/database, or mongodb+srv://host/database; the driver is always pymongo"
_SQLITE = "write sqlite:///jobs.db for a relative path, sqlite:////var/lib/jobs.db for an absolute one"
_MEMORY = "write memory://"

_FAMILIES = {
    **dict.fromkeys(("postgresql", "postgres", "psql", "pgsql", "pg", "psycopg", "asyncpg"), _POSTGRES),
    **dict.fromkeys(("mongodb", "mongo"), _MONGO),
    **dict.fromkeys(("sqlite", "sqlite3", "file", "aiosqlite"), _SQLITE),
    **dict.fromkeys(("memory", "mem", "inmemory"), _MEMORY),
}

_OURS = {"postgresql", "postgres", "mongodb", "mongodb+srv", "sqlite", "memory"}
"""Valid schemes. If no plugin serves one of them, its distribution is not installed."""

_ELSEWHERE = {
    *("redis", "rediss", "valkey", "amqp", "amqps", "rabbitmq", "mysql", "mariadb", "mssql", "oracle", "cockroachdb"),
    *("kafka", "sqs", "nats", "etcd", "dynamodb", "cassandra", "memcached", "http", "https"),
}

_FILE = re.compile(r"(?:(?:sqlite3?|file):)?([\w.~][\w.~ -]*(?:/[\w.~ -]*)*|(?:/[\w.~ -]+)+)")


def for_scheme(scheme: str) -> str | None:
    """Return what to write in place of a scheme that no plugin serves; None if the scheme may be right."""
    family = scheme.partition("+")[0]
    if scheme in _OURS:
        return None
    if family in _ELSEWHERE:
        return f"Tallystick has no backend for {family}; a third-party plugin would be called tallystick-{family}"
    return _FAMILIES.get(family) or _FAMILIES.get(next(iter(get_close_matches(family, _FAMILIES, n=1)), ""))


def for_text(text: str) -> str:
    """Return what to write in place of a text that is not a URL. Repeats only text that is certainly a file name."""
    family, colon, _ = text.lower().partition(":")
    if text.lower() in ("memory", ":memory:") or (family == "memory" and colon):
        return _MEMORY
    if colon and _FAMILIES.get(family) in (_POSTGRES, _MONGO):
        return _FAMILIES[family]
    if (file := _FILE.fullmatch(text)) and re.search(r"[./]", file[1]):
        return f"write sqlite:///{file[1]}"
    if colon and family in _FAMILIES:
        return _FAMILIES[family]
    if re.search(r"\b(host|dbname|password)\s*=", text):
        return _POSTGRES
    return "write scheme://..., e.g. sqlite:///jobs.db"
