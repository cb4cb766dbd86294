"""The tests that are more than small examples: generated programs, schedules, histories, races, crashes and faults."""
