-- Effect: store a whole record. `held_key` is its unique key if it holds it.
-- Locks: write. Index: none. The caller has checked that neither the id is stored nor the key is held.
INSERT INTO {prefix}_jobs ({columns}, error_type, errors, progress, held_key)
VALUES ({values}, :error_type, :errors, :progress, :held_key)
