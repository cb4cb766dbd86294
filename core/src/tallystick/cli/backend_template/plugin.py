"""The entry point: register `AcmeBackend` for `acme://` URLs. Import no driver here."""

from tallystick import hookimpl


@hookimpl
def tallystick_backend() -> dict[str, str]:
    """Return the backend class of the `acme` scheme."""
    return {"acme": "tallystick_acme.backend:AcmeBackend"}
