"""What every page stands on: it is found out who looks, roles are held, forms are checked, templates are filled.

def routes(self) -> list[Route]:
    return [
        self.shell.page("/orders", self.listed, ORDER_READERS),
        self.shell.form("/orders/{order_id}/void", self.void, MONEY_MOVERS),
    ]
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from api.authentication import Authenticator
from api.errors import request_id_of
from api.pages.failures import PageError, forbidden
from api.pages.guarding import TOKEN_FIELD, read_form, require_same_origin
from api.pages.navigation import areas_for
from api.pages.rendering import templates
from api.pages.viewer import Viewer, viewer_of
from api.pages.visits import PATH, Visit, Visits
from application.ports import Clock

Page = Callable[[Request], Awaitable[Response]]
Form = Callable[[Request, dict[str, str]], Awaitable[Response]]

SIGN_IN = f"{PATH}/sign-in"
# A link from elsewhere comes without our cookie (SameSite=Strict): a page of ours then opens the same address again.
_ELSEWHERE = frozenset({"cross-site", "same-site"})


class Shell:
    """One per process. `notice`: what every page says of the surroundings (the sandbox), if anything."""

    def __init__(self, visits: Visits, authenticator: Authenticator, clock: Clock, notice: str | None = None) -> None:
        self.visits = visits
        self.authenticator = authenticator
        self.clock = clock
        self.notice = notice
        self.templates: jinja2.Environment = templates()

    # --- routes -------------------------------------------------------------------------------------------------------

    def page(self, path: str, show: Page, roles: Collection[str]) -> Route:
        """A page for reading (GET), below /console, for users with one of the roles."""

        async def endpoint(request: Request) -> Response:
            if not await self.identify(request):
                return self._to_sign_in(request)
            _require_role(request, roles)
            return await show(request)

        return Route(path, endpoint, methods=["GET"])

    def form(self, path: str, act: Form, roles: Collection[str] | None) -> Route:
        """What a form is sent to (POST), by users with one of the roles; None: by whoever is signed in.

        The fields are the form's own, without the form token.
        """

        async def endpoint(request: Request) -> Response:
            require_same_origin(request)
            if not await self.identify(request):
                return self._to_sign_in(request)
            if roles is not None:
                _require_role(request, roles)
            return await act(request, await self.checked_form(request, request.state.visit))

        return Route(path, endpoint, methods=["POST"])

    # --- answers ------------------------------------------------------------------------------------------------------

    def render(self, request: Request, template: str, http_code: int = 200, **values: Any) -> HTMLResponse:
        """The template with the values, and with what the base template needs."""
        viewer: Viewer | None = getattr(request.state, "viewer", None)
        visit: Visit | None = getattr(request.state, "visit", None)
        content = self.templates.get_template(template).render(
            viewer=viewer,
            areas=areas_for(viewer) if viewer else [],
            path=request.url.path,
            form_token=self.visits.form_token(visit) if visit else "",
            notice=self.notice,
            request_id=request_id_of(request),
            read_at=self.clock.now(),
            **values,
        )
        return HTMLResponse(content, http_code)

    async def checked_form(self, request: Request, visit: Visit) -> dict[str, str]:
        """The fields of a form that carries the token of this visit. Raises PageError."""
        fields = await read_form(request)
        if not self.visits.is_form_token(visit, fields.pop(TOKEN_FIELD, "")):
            raise PageError(403, "This form is too old", "Open the page again and send the form from there.")
        return fields

    async def identify(self, request: Request) -> bool:
        """Whether somebody is signed in; the viewer is then in the request's state."""
        now = self.clock.now()
        visit = self.visits.read(request, now)
        if visit is None or visit.session is None:
            return False
        owner = await self.authenticator.of_session(visit.session, now)
        if owner is None or owner.session is None:
            return False
        request.state.visit, request.state.viewer = visit, viewer_of(owner.session)
        return True

    def opened_again(self, request: Request) -> Response | None:
        """For a link from elsewhere: a page of ours that opens the same address again, then with our cookie."""
        if request.method == "GET" and request.headers.get("sec-fetch-site") in _ELSEWHERE:
            return self.render(request, "through.html", target=_address(request))
        return None

    def _to_sign_in(self, request: Request) -> Response:
        if request.headers.get("hx-request") == "true":  # a part of a page would take the sign-in page for its news
            return Response(status_code=HTTPStatus.NO_CONTENT, headers={"HX-Refresh": "true"})
        if page := self.opened_again(request):
            return page
        wanted = _address(request)
        after = f"?next={quote(wanted)}" if request.method == "GET" and wanted != f"{PATH}/" else ""
        return RedirectResponse(SIGN_IN + after, 303)


def _address(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def viewer_in(request: Request) -> Viewer:
    """Who looks at this page."""
    viewer: Viewer = request.state.viewer
    return viewer


def _require_role(request: Request, roles: Collection[str]) -> None:
    if not viewer_in(request).may(roles):
        raise forbidden()
