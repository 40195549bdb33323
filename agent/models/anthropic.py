"""Anthropic's models, through pydantic-ai, which knows their messages API and its changes.

https://platform.claude.com/docs/en/api/messages

Importing this module costs seconds and a hundred megabytes: only `agent.models.providers` does, when it is configured.
Its retries are off, and so is its telemetry: what a failure means is the ladder's to judge.
"""

from collections.abc import AsyncGenerator

import httpx2
from anthropic import AsyncAnthropic
from pydantic_ai.direct import model_request_stream
from pydantic_ai.exceptions import AgentRunError, ModelHTTPError, ModelTimeoutError
from pydantic_ai.messages import (
    BinaryContent,
    ModelMessage,
    ModelRequest,
    ModelResponse,
    ModelResponseStreamEvent,
    PartDeltaEvent,
    PartStartEvent,
    SystemPromptPart,
    TextPart,
    TextPartDelta,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.models import anthropic as dialect
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition
from pydantic_core import from_json

from agent.engine import EngineFailed, EngineRefused, EngineTimedOut, ToolSpec
from agent.models.model import Message, Piece, Request, Spent, ToolCall, Words


class AnthropicModel:
    """One model of one account."""

    def __init__(
        self, name: str, *, base_url: str, api_key: str, timeout: float, silence: float, pictures: bool = False
    ) -> None:
        self.name = name
        self._pictures = pictures
        self._timeout = timeout
        self._client = AsyncAnthropic(
            base_url=base_url,
            api_key=api_key or "none",
            max_retries=0,
            timeout=httpx2.Timeout(timeout, connect=10, read=min(timeout, silence)),
        )
        self._model = dialect.AnthropicModel(name, provider=AnthropicProvider(anthropic_client=self._client))

    async def ask(self, request: Request) -> AsyncGenerator[Piece, None]:
        """Asks once."""
        settings = ModelSettings(max_tokens=request.tokens, request_timeout=self._timeout)
        parameters = ModelRequestParameters(function_tools=[_tool(tool) for tool in request.tools])
        try:
            async with model_request_stream(
                self._model,
                _messages(request, pictures=self._pictures),
                model_settings=settings,
                model_request_parameters=parameters,
                instrument=False,
            ) as stream:
                async for event in stream:
                    if text := _text(event):
                        yield Words(text)
                whole = stream.get()
                if whole.finish_reason is None:
                    raise EngineFailed("cut_off")
                for call in whole.tool_calls:
                    yield ToolCall(call.tool_call_id, call.tool_name, call.args_as_json_str())
                yield Spent(stream.usage.input_tokens, stream.usage.output_tokens)
        except (AgentRunError, httpx2.HTTPError) as error:
            raise _failure(error) from None

    async def warm(self) -> None:
        """Nothing more than importing this module."""

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.close()


def _text(event: ModelResponseStreamEvent) -> str:
    match event:
        case PartStartEvent(part=TextPart(content=text)) | PartDeltaEvent(delta=TextPartDelta(content_delta=text)):
            return text
        case _:
            return ""


def _messages(request: Request, *, pictures: bool = False) -> list[ModelMessage]:
    """The results of tools that were called together stand in one message, as this API demands."""
    names = {call.id: call.name for message in request.messages for call in message.calls}
    shown: list[ModelMessage] = []
    for before, message in zip((None, *request.messages), request.messages, strict=False):
        if message.role == "tool":
            result = ToolReturnPart(names[message.call], message.text, message.call)
            if before and before.role == "tool":
                shown[-1] = ModelRequest(parts=[*shown[-1].parts, result])
            else:
                shown.append(ModelRequest(parts=[result]))
        else:
            shown.append(_message(message, pictures=pictures))
    return shown


def _message(message: Message, *, pictures: bool) -> ModelMessage:
    if message.role == "system":
        return ModelRequest(parts=[SystemPromptPart(message.text)])
    if message.role == "user":
        seen = [BinaryContent(each.data, media_type=each.media_type) for each in message.pictures if pictures]
        return ModelRequest(parts=[UserPromptPart([message.text, *seen] if seen else message.text)])
    calls = [ToolCallPart(call.name, _arguments(call), call.id) for call in message.calls]
    return ModelResponse(parts=[*([TextPart(message.text)] if message.text else []), *calls])


def _arguments(call: ToolCall) -> dict[str, object]:
    """The arguments as an object, which this API demands also where the model wrote none."""
    try:
        written = from_json(call.arguments)
    except ValueError:
        return {}
    return written if isinstance(written, dict) else {}


def _tool(tool: ToolSpec) -> ToolDefinition:
    return ToolDefinition(
        name=tool.name, description=tool.description, parameters_json_schema=from_json(tool.parameters)
    )


def _failure(error: Exception) -> EngineFailed:
    match error:
        case ModelHTTPError(status_code=401 | 403 | 404):
            return EngineRefused(str(error.status_code))
        case ModelHTTPError():
            return EngineFailed(str(error.status_code))
        case ModelTimeoutError() | httpx2.TimeoutException():
            return EngineTimedOut()
        case _:
            return EngineFailed(type(error).__name__)
