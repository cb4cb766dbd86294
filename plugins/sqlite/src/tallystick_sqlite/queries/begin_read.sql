-- Effect: begin a transaction in which every statement reads the same snapshot.
-- Locks: none that block a writer.
BEGIN
