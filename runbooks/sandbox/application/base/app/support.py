"""Bug reports go to the maintainers by mail."""

from __future__ import annotations

import logging
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks
from pydantic import BaseModel, Field

from app.accounts.schemas import EmailAddress
from app.core.config import settings
from app.mail import Mail, send_mail

log = logging.getLogger("app.support")
router = APIRouter(prefix="/api/v1/support", tags=["Support"])

Label = Annotated[str, Field(max_length=120)]


class BugReportRequest(BaseModel):
    summary: str = Field(min_length=5, max_length=160)
    description: str = Field(min_length=20, max_length=5000)
    contact_email: EmailAddress | None = None
    app_version: Label | None = None
    platform: Label | None = None
    language: str | None = Field(default=None, max_length=16)


class BugReportResponse(BaseModel):
    message: str


@router.post("/bug-report", status_code=202)
async def submit_bug_report(report: BugReportRequest, background: BackgroundTasks) -> BugReportResponse:
    text = "\n".join(f"{name}: {value}" for name, value in report.model_dump().items() if value)
    background.add_task(send_mail, Mail(settings.EMAIL_FROM_ADDRESS, f"Bug report: {report.summary}", text))
    log.info("bug report received, %d characters", len(report.description))
    return BugReportResponse(message="Thank you. Your report has been received.")
