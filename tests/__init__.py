"""The tests mirror the rooms; scenarios/ are whole turns against the simulators."""
