"""Log in with a token, and log out."""

from starlette.responses import RedirectResponse, Response

from ..rejections import Rejection
from ..security.sessions import COOKIE, LONGEST
from .page import Page, first, page
from .render import url_for


@page
async def show_login(p: Page) -> Response:
    """Show the page to log in."""
    if not p.site.authentication.has_login:
        raise Rejection(404, "this dashboard has no login of its own")
    return p.render("login.html", back="", wrong=False)


@page
async def login(p: Page) -> Response:
    """Check the token, and set the cookie of the session."""
    form = await p.form()
    authentication = p.site.authentication
    back = first(form, "back")
    role = authentication.role_of_token(first(form, "token").strip())
    if role is None:
        return p.render("login.html", 401, back=back, wrong=True)
    root = url_for(p.request, "/")
    is_own = back.startswith(root) and not back.startswith(("//", "/\\"))
    response = RedirectResponse(back if is_own else root, 303)
    response.set_cookie(
        COOKIE,
        authentication.sessions.issue(role),
        max_age=LONGEST,
        path=root,
        secure=p.request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return response


@page
async def logout(p: Page) -> Response:
    """Delete the cookie of the session."""
    response = p.redirect("/login")
    response.delete_cookie(COOKIE, path=url_for(p.request, "/"))
    return response
