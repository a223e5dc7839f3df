"""An agent before a local or OpenAI-compatible model: ``taskengine worker --pool threads --import model_agent``."""

import json
import os
import urllib.error
import urllib.request

from taskengine import NotNow, agent


@agent("model", capabilities={"chat"})
def chat(task, context):
    """Ask MODEL_URL (Ollama's by default) for an answer to the input's prompt."""
    url = os.environ.get("MODEL_URL", "http://127.0.0.1:11434/v1") + "/chat/completions"
    said = [{"role": "user", "content": task.input["prompt"]}]
    body = json.dumps({"model": os.environ.get("MODEL", "llama3.2"), "messages": said}).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {os.environ.get('MODEL_KEY', '-')}"}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=300) as answer:
            return {"text": json.load(answer)["choices"][0]["message"]["content"]}
    except urllib.error.HTTPError as exc:
        exc.close()  # it is the answer, with its connection
        if exc.code in (429, 503):  # no retry is spent, no slot is held; all that this agent would run waits
            raise NotNow(float(exc.headers.get("Retry-After", 10)), "the model is busy", scope="agent") from exc
        raise
