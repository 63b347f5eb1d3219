"""Lab 5: chat rooms, entered over TCP, talked in over UDP."""
