"""The agent: queue, state machine, bus, turn loop."""
