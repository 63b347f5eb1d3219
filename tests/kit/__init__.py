"""The kit: what every lab's suite stands on. It knows no lab; docs/en/architecture.md has the map."""
