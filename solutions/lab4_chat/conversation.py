"""Lab 4: what a user of the client types, and what this user is shown, without socket or terminal.

typed                      sent                                    the mode
Hi!                        {"type": "message", "message": "Hi!"}   [all]
/session bob               {"type": "session_request", ...}        [all]
                           ... bob says yes ...                    [@bob]
Only you read this.        {"type": "private", ...}                [@bob]
"""

import unicodedata
from typing import Any

from .protocol import MAX_CLIENT_LINE, packed

Message = dict[str, Any]

COMMANDS = {
    "/users": "who is online",
    "/private NAME TEXT": "a message that NAME alone gets",
    "/session NAME": "ask NAME for a private session",
    "/exit": "leave the private session",
    "/help": "this list",
    "/quit": "leave the chat",
}
HELP = "; ".join(f"{command}: {effect}" for command, effect in COMMANDS.items())


class Explained(Exception):
    """Nothing is sent: what was typed gets an explanation instead."""


class Conversation:
    """Where a user's texts go, and who waits for an answer of this user."""

    def __init__(self) -> None:
        self.wanted = ""  # the name that this user would like to have
        self.name = ""  # what it is called, after the login
        self._partner = ""  # in a private session
        self._asking: list[str] = []  # who asked for one, the oldest first

    @property
    def mode(self) -> str:
        """Where a text goes that is typed now."""
        return f"[@{self._partner}]" if self._partner else "[all]"

    def typed(self, text: str) -> Message:
        """Return the message to send for what was typed, which is not empty.

        Raises Explained with what to show instead: the help, or what is wrong with a command.
        """
        # gap 16: y and n answer the oldest request, if one waits. What begins with a slash is a
        #   command. Any other text goes to the partner in a session, and outside to all; it may be
        #   too long: fits() explains that.
        if self._asking and text in ("y", "n"):
            return _to("session_response", self._asking.pop(0), accepted=text == "y")
        if text.startswith("/"):
            return self._command(text)
        if self._partner:
            return fits(_to("private", self._partner, message=text))
        return fits({"type": "message", "message": text})
        # end gap

    def _command(self, text: str) -> Message:
        """Return the message to send for one of the COMMANDS, except /quit. Raises Explained."""
        # gap 17: Look which of the COMMANDS it is, with all that belongs to it, and nothing more.
        #   /help is explained, and so is whatever is none.
        match text.split(maxsplit=2):
            case ["/users"]:
                return {"type": "users"}
            case ["/exit"]:
                return {"type": "session_end"}
            case ["/help"]:
                raise Explained(HELP)
            case ["/session", name]:
                return fits(_to("session_request", name))
            case ["/private", name, words]:
                return fits(_to("private", name, message=words))
        raise Explained(f"this is no command: {HELP}")
        # end gap

    def arrived(self, message: Message) -> str:
        """Return the line that shows a message from the server; "" if there is nothing to show."""
        if str(message.get("type")).startswith("session_"):
            return self._about_sessions(message)
        # gap 14: Return what the user should know: sender and text, with the word "private" where
        #   it is; a notice and how many are online; all names; why something was refused. The
        #   first notice is the welcome: from then on this user has the name that it `wanted`.
        sender, text = message.get("from_username"), message.get("message")
        match message.get("type"):
            case "message":
                return f"{sender}: {text}"
            case "private":
                return f"{sender} (private): {text}"
            case "system":
                self.name = self.name or self.wanted
                return f"* {text} ({message.get('online_users')} online)"
            case "users_list":
                return f"* online: {', '.join(map(str, _list(message.get('users'))))}"
            case "error":
                return f"! {text} ({message.get('code')})"
        return ""
        # end gap

    def _about_sessions(self, message: Message) -> str:
        """Remember what a message about sessions changes, and return the line that shows it."""
        # gap 15: Who asks is remembered, once, in `_asking`; the line says how to answer. With a
        #   session `_partner` begins and ends, and when one begins all who asked are forgotten.
        sender = message.get("from_username")
        match message.get("type"):
            case "session_request":
                if sender not in self._asking:
                    self._asking.append(str(sender))
                return f"* {sender} asks you for a private session: type y or n"
            case "session_accepted":
                self._partner = self._other(message)
                self._asking.clear()
                return f"* private session with {self._partner}; /exit leaves it"
            case "session_rejected":
                return f"* {self._other(message)} wants no private session"
            case "session_ended":
                self._partner = ""
                return f"* the private session with {self._other(message)} has ended"
        # end gap
        return ""

    def _other(self, message: Message) -> str:
        """Return who of the two in a message about a session is not this user."""
        first, second = message.get("from_username"), message.get("to_username")
        return str(second if first == self.name else first)


def fits(message: Message) -> Message:
    """Return the message. Raises Explained if its line is too long to be sent."""
    if len(packed(message)) > MAX_CLIENT_LINE:
        raise Explained(f"too long to be sent: a line may have {MAX_CLIENT_LINE:,} bytes")
    return message


def visible(text: str) -> str:
    """Return the text on one line: "␛[2J" cannot clear a screen, "␊" cannot begin a line."""
    return "".join(map(_visible, text))


def _visible(char: str) -> str:
    if char < " ":
        return chr(0x2400 + ord(char))  # Unicode has a picture for each control character of ASCII
    return "\N{REPLACEMENT CHARACTER}" if unicodedata.category(char) in _UNSEEN else char


_UNSEEN = ("Cc", "Cs", "Zl", "Zp")  # controls, halves of characters, ends of lines and paragraphs


def _to(kind: str, target: str, **fields: Any) -> Message:
    return {"type": kind, "target_username": target, **fields}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
