"""What a log keeps of an error that nobody foresaw."""

import httpx
import pytest
from fastapi import FastAPI

from core import http


async def test_a_traceback_holds_no_value(capsys: pytest.CaptureFixture[str]) -> None:
    app = FastAPI()
    http.install(app)

    @app.get("/panne")
    async def fail(word: str) -> None:
        kept = [word.upper()]
        raise RuntimeError(f"{len(kept)} mot")

    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://repere.test") as client:
        answer = await client.get("/panne", params={"word": "confidentiel"})
    assert answer.status_code == 500
    logged = capsys.readouterr().out
    assert "RuntimeError" in logged
    assert "test_logs.py" in logged
    assert "confidentiel" not in logged.lower()
