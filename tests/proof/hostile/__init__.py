"""What hostile programs do before they serve; `test_hostile_class` hands each in as attack.py."""
