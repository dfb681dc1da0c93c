"""Signing in with the token of a session, and out again."""

from __future__ import annotations

from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from api.authentication import Authenticated
from api.errors import ApiError
from api.pages.failures import PageError
from api.pages.guarding import require_same_origin
from api.pages.sandbox import EXAMPLE_PEOPLE, ExamplePerson
from api.pages.shell import SIGN_IN, Shell
from api.pages.viewer import viewer_of
from api.pages.visits import COOKIE, PATH, Visit
from application.ports import Directory

MAX_NEXT_CHARS = 500
_REFUSALS = {
    "invalid-token": "There is no session with this token.",
    "session-expired": "This session has ended. Sign in where you got the token, and use the new one.",
    "rate-limit-exceeded": "Too many tries from this address. Wait a minute.",
}
_NO_ROLE = "The user of this session has no role in the console: employee, liaison, finance, reporting or operations."


@dataclass(frozen=True)
class SigningIn:
    """`examples`: slug → token hash of the example people, empty outside the sandbox."""

    shell: Shell
    directory: Directory
    examples: dict[str, str]

    def routes(self) -> list[Route]:
        return [
            Route("/sign-in", self.ask, methods=["GET"]),
            Route("/sign-in", self.enter, methods=["POST"]),
            Route("/sign-in/example", self.enter_as_example, methods=["POST"]),
            self.shell.form("/sign-out", self.leave, None),
        ]

    async def ask(self, request: Request) -> Response:
        after = _next(request.query_params.get("next", ""))
        if await self.shell.identify(request):
            return RedirectResponse(after, 303)
        if COOKIE not in request.cookies and (page := self.shell.opened_again(request)):
            return page  # answering with a new cookie would sign out whoever is signed in
        return await self._form(request, after)

    async def enter(self, request: Request) -> Response:
        """Check the token; from here on only its hash is kept, in the encrypted cookie."""
        fields = await self._fields(request)
        after = _next(fields.get("next", ""))
        now = self.shell.clock.now()
        token = {"token": fields.get("token", "").strip()}
        try:
            owner = await self.shell.authenticator.authenticate(request, token, now)
        except ApiError as refused:
            if refused.status not in _REFUSALS:
                raise
            code = 429 if refused.status == "rate-limit-exceeded" else 403
            return await self._form(request, after, _REFUSALS[refused.status], code)
        return await self._entered(request, owner, after)

    async def enter_as_example(self, request: Request) -> Response:
        """One click for the example people of the sandbox."""
        fields = await self._fields(request)
        session = self.examples.get(fields.get("person", ""))
        owner = await self.shell.authenticator.of_session(session, self.shell.clock.now()) if session else None
        if owner is None:
            raise PageError(403, "No such person", "This example user is not in the directory.")
        return await self._entered(request, owner, _next(fields.get("next", "")))

    async def leave(self, request: Request, _: dict[str, str]) -> Response:
        answer = RedirectResponse(SIGN_IN, 303)
        self.shell.visits.forget(request, answer)
        return answer

    async def _fields(self, request: Request) -> dict[str, str]:
        require_same_origin(request)
        visit = self.shell.visits.read(request, self.shell.clock.now())
        if visit is None:
            raise PageError(403, "This form is too old", "Open the sign-in page again; it needs a cookie to work.")
        return await self.shell.checked_form(request, visit)

    async def _entered(self, request: Request, owner: Authenticated, after: str) -> Response:
        if owner.session is None or not viewer_of(owner.session).roles:
            return await self._form(request, after, _NO_ROLE, 403)
        answer = RedirectResponse(after, 303)
        visit = Visit.new(owner.token_hash)  # another number: the one before signing in is worth nothing now
        self.shell.visits.write(request, answer, visit, self.shell.clock.now())
        return answer

    async def _form(self, request: Request, after: str, problem: str | None = None, code: int = 200) -> Response:
        now = self.shell.clock.now()
        visit = self.shell.visits.read(request, now)
        fresh = replace(visit, session=None) if visit else Visit.new()
        request.state.visit = fresh
        answer = self.shell.render(
            request, "sign_in.html", code, next=after, problem=problem, people=await self._people()
        )
        self.shell.visits.write(request, answer, fresh, now)
        return answer

    async def _people(self) -> list[ExamplePerson]:
        """The example people whom the directory knows."""
        now = self.shell.clock.now()
        known = self.examples
        return [
            person
            for person in EXAMPLE_PEOPLE
            if person.slug in known and await self.shell.authenticator.of_session(known[person.slug], now)
        ]


def _next(wanted: str) -> str:
    """Where to go after signing in: a page of the console, and nowhere else."""
    safe = wanted.startswith(f"{PATH}/") and len(wanted) <= MAX_NEXT_CHARS and wanted.isprintable()
    return wanted if safe and "\\" not in wanted and not wanted.startswith(SIGN_IN) else f"{PATH}/"
