"""What every lab's suite stands on. It knows no lab; docs/en/architecture.md is the map."""
