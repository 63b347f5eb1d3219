"""Autograders to upload: the kit without solutions, in the form that Gradescope and others run."""
