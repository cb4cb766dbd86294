"""The routes of the pages."""

from starlette.routing import Route

from . import bulk, enqueue, jobs, login, overview, schedules, static


def routes() -> list[Route]:
    """Return the routes. Every action is a POST that redirects to a page."""
    return [
        _get("/", overview.show_overview),
        _get("/jobs", jobs.job_list),
        _get("/search", jobs.search),
        _get("/jobs/{id}", jobs.job),
        _post("/jobs/{id}/update", jobs.job_update),
        _post("/jobs/{id}/rerun", jobs.job_rerun),
        _post("/jobs/{id}/{action}", jobs.job_action),
        _get("/bulk", bulk.bulk_preview),
        _post("/bulk", bulk.bulk_start),
        _get("/bulk/{id}", bulk.bulk_progress),
        _post("/bulk/{id}/stop", bulk.bulk_stop),
        _get("/failures", overview.show_failures),
        _get("/queues", overview.show_queues),
        _post("/queues/{action}", overview.queue_action),
        _get("/workers", overview.show_workers),
        _get("/audit", overview.show_audit),
        _get("/schedules", schedules.show_schedules),
        _get("/schedules/edit", schedules.edit_schedule),
        _get("/schedules/preview", schedules.preview_rule),
        _post("/schedules/save", schedules.save_schedule),
        _post("/schedules/{action}", schedules.schedule_action),
        _get("/enqueue", enqueue.show_enqueue),
        _post("/enqueue", enqueue.enqueue),
        _get("/login", login.show_login),
        _post("/login", login.login),
        _post("/logout", login.logout),
        Route("/static/{hash}/{name:path}", static.serve, methods=["GET"]),
    ]


def _get(path: str, endpoint: object) -> Route:
    return Route(path, endpoint, methods=["GET"])  # type: ignore[arg-type]  # an async function


def _post(path: str, endpoint: object) -> Route:
    return Route(path, endpoint, methods=["POST"])  # type: ignore[arg-type]  # an async function
