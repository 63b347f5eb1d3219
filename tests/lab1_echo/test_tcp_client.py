"""Lab 1, the TCP client: exactly as many bytes come back as went out, in whatever pieces."""

import socket

from kit.client_rules import ClientRules
from kit.endings import ends_with_error_line, stops
from kit.lab import check
from kit.stage import Stage
from kit.tcp import Listener

LONGEST = 100_000  # bytes: the contract's longest message


@check(points=2)
def test_the_echo_is_printed_as_a_line_of_its_own(stage: Stage) -> None:
    with Listener(stage, "server") as listener:
        message = stage.word()
        client = listener.starts_client("tcp_client", message)
        with listener.is_called() as server:
            server.expects(message.encode())
            server.sends(message.encode())

            client.prints(message, hint="as many bytes as were sent: the server does not close")
            client.succeeds()
            server.expects_close_or_reset()


@check(points=1)
def test_nothing_is_added_to_a_message(stage: Stage) -> None:
    with Listener(stage, "server") as listener:
        message = f"  {stage.word()} "
        listener.starts_client("tcp_client", message)
        with listener.is_called() as server:
            server.expects(message.encode())
            server.sends(b"x" * len(message))
            server.expects_close(
                hint="send the message's bytes and nothing else, no newline either"
            )


@check(points=1)
def test_text_in_any_script_travels_as_utf_8(stage: Stage) -> None:
    """Text in any script travels as UTF-8."""
    with Listener(stage, "server") as listener:
        message = "Привіт, 世界! Zażółć 🙂"
        client = listener.starts_client("tcp_client", message)
        with listener.is_called() as server:
            server.expects(message.encode(), hint="encode() makes UTF-8 of a text")
            server.sends(message.encode())

            client.prints(message, hint="count bytes, not letters: len(message.encode())")
            client.succeeds()


@check(points=2)
def test_each_echo_is_read_before_the_next_message_is_sent(stage: Stage) -> None:
    with Listener(stage, "server") as listener:
        first, second = stage.word(), stage.word()
        client = listener.starts_client("tcp_client", first, second)
        with listener.is_called() as server:
            server.expects(first.encode())
            server.expects_nothing(
                hint="until the first echo is there nothing more is sent, and no shutdown() called"
            )
            server.sends(first.encode())
            server.expects(second.encode())
            server.sends(second.encode())

            client.prints(first)
            client.prints(second)
            client.succeeds()


@check(points=1)
def test_an_echo_in_pieces_is_put_together(stage: Stage) -> None:
    with Listener(stage, "server") as listener:
        message = "Echo й 世界"
        client = listener.starts_client("tcp_client", message)
        with listener.is_called() as server:
            server.expects(message.encode())
            server.sends_byte_by_byte(message.encode())

            client.prints(message, hint="one recv() may bring only a part, even half a character")
            client.succeeds()


@check(points=1)
def test_what_comes_back_is_printed_not_what_was_sent(stage: Stage) -> None:
    with Listener(stage, "server") as listener:
        client = listener.starts_client("tcp_client", "hello")
        with listener.is_called() as server:
            server.expects(b"hello")
            server.sends(b"HELLO, and more")

            client.comes_to(
                lambda line: line == "HELLO",
                "HELLO",
                hint="print what recv() gave: as many bytes as were sent, and not one more",
            )


@check(points=1)
def test_a_message_of_100_000_bytes_makes_the_round_trip(stage: Stage) -> None:
    with Listener(stage, "server") as listener:
        message = "語" * (LONGEST // 3) + "x"
        client = listener.starts_client("tcp_client")
        client.types(f"{message}\n")
        with listener.is_called() as server:
            server.expects(message.encode())
            server.sends(message.encode())

            client.prints(message, hint="recv(n) gives at most n bytes: go on until all are there")


@check(points=2)
def test_without_messages_each_line_is_echoed_as_soon_as_it_was_typed(stage: Stage) -> None:
    with Listener(stage, "server") as listener:
        client = listener.starts_client("tcp_client", buffered=True)
        line = stage.word()
        client.types(f"{line}\n")
        with listener.is_called() as server:
            for following in (stage.word(), stage.word(), ""):
                server.expects(line.encode(), hint="one line at a time, without its newline")
                server.sends(line.encode())
                client.prints(
                    line, hint="print(..., flush=True), or a pipe gets it only at the end"
                )
                line = following
                client.types(f"{line}\n")


@check(points=1)
def test_a_typed_line_keeps_its_blanks(stage: Stage) -> None:
    with Listener(stage, "server") as listener:
        word = stage.word()
        client = listener.starts_client("tcp_client")
        client.types(f"\t {word}  \n   \n{word}\u2028{word}\n")
        with listener.is_called() as server:
            for line, hint in (
                (f"\t {word}  ", "strip() takes away more than the newline"),
                ("   ", "a line of blanks is not empty: its echo is as long as it is"),
                (f"{word}\u2028{word}", "splitlines() knows more ends of a line than \\n"),
            ):
                server.expects(line.encode(), hint=hint)
                server.sends(line.encode())


@check(points=1)
def test_empty_lines_are_skipped(stage: Stage) -> None:
    with Listener(stage, "server") as listener:
        line = stage.word()
        client = listener.starts_client("tcp_client")
        client.types(f"\n\n{line}\n")
        with listener.is_called() as server:
            server.expects(line.encode(), hint="an empty line has no echo to wait for: skip it")
            server.sends(line.encode())

            client.prints(line)


@check(points=1)
def test_the_end_of_input_ends_it_with_exit_code_0(stage: Stage) -> None:
    with Listener(stage, "server") as listener:
        last = stage.word()
        client = listener.starts_client("tcp_client")
        client.types(last)
        client.ends_input()
        with listener.is_called() as server:
            server.expects(last.encode(), hint="the last line may come without a newline")
            server.sends(last.encode())

            client.prints(last)
            client.succeeds()


@check(points=1)
def test_a_server_that_closes_too_early_gets_an_error_line(stage: Stage) -> None:
    with Listener(stage, "server") as listener:
        client = listener.starts_client("tcp_client", "hello")
        with listener.is_called() as server:
            server.expects(b"hello")
            server.sends(b"hel")
            server.leaves()

            ends_with_error_line(client, stage, "the server closed in the middle of the echo")


@check(points=1, after=test_a_server_that_closes_too_early_gets_an_error_line)
def test_a_server_that_goes_between_two_lines_gets_an_error_line(stage: Stage) -> None:
    with Listener(stage, "server") as listener:
        client = listener.starts_client("tcp_client")
        client.types("one\n")
        with listener.is_called() as server:
            server.expects(b"one")
            server.sends(b"one")
            client.prints("one")

            server.leaves()
            client.types("two\n")
            client.types("three\n")

            ends_with_error_line(client, stage, "the server closed between two lines")


@check(points=1)
def test_a_server_that_resets_gets_an_error_line(stage: Stage) -> None:
    with Listener(stage, "server") as listener:
        client = listener.starts_client("tcp_client", "hello")
        with listener.is_called() as server:
            server.expects(b"hello")
            server.resets()

            ends_with_error_line(client, stage, "the server reset the connection")


@check(points=1)
def test_a_host_may_be_given_by_name(stage: Stage) -> None:
    with Listener(stage, "server") as listener:
        client = listener.starts_client("tcp_client", "--host", "localhost", "hello")
        with listener.is_called() as server:
            server.expects(b"hello")
            server.sends(b"hello")

            client.prints("hello")


class TestLikeEveryClient(ClientRules):
    program = "tcp_client"
    default_port = 6789
    protocol = socket.SOCK_STREAM
    fake_server = Listener
    arguments = ("hello",)

    @check(points=1, after=test_without_messages_each_line_is_echoed_as_soon_as_it_was_typed)
    def test_ctrl_c_ends_it_while_it_waits(self, stage: Stage) -> None:
        """Ctrl+C ends it without a traceback while it waits, also for a line."""
        super().test_ctrl_c_ends_it_while_it_waits(stage)
        with Listener(stage, "server") as listener:
            client = listener.starts_client("tcp_client")
            client.types("hello\n")
            with listener.is_called() as server:
                server.expects(b"hello")
                server.sends(b"hello")
                client.prints("hello")

                stops(client, stage, "SIGINT", server=False)
                server.expects_close_or_reset()
