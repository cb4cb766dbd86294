-- Effect: insert a new job, unless its id is stored or its unique key is held.
-- Locks: write. Index: primary key and {prefix}_held_keys, to find the duplicate.
INSERT INTO {prefix}_jobs ({new_columns}, state, created_at, updated_at, held_key)
VALUES ({new_values}, 'pending', :now, :now, :unique_key)
ON CONFLICT DO NOTHING
