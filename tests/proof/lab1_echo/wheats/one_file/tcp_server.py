"""The TCP server: a way into the one file."""

from .echo_programs import main

if __name__ == "__main__":
    main("tcp_server")
