"""Grade a class: submissions in, grades out. `nox -s grade`; the handbook is for instructors."""
