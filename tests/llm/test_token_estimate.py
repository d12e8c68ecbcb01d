from __future__ import annotations

from rustbot_jupyter.llm.token_estimate import estimate_tokens
from rustbot_jupyter.messages import ImagePart, Message, MessageRole, TextPart, user_message


def test_tokens_are_estimated_at_four_characters_each() -> None:
    image = Message(role=MessageRole.USER, parts=(TextPart(text="abcde"), ImagePart(media_type="image/png", data=b"x")))

    assert estimate_tokens([]) == 0
    assert estimate_tokens([user_message("abcdefgh"), user_message("abc")]) == 3
    assert estimate_tokens([image]) == 1_002
