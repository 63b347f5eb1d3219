"""What all reports stand on: the form of the grades, words, HTML, and a student's feedback."""
