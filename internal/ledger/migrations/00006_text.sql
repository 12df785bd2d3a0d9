-- +goose Up

-- Snapshots and bodies are written and read whole, and hardly ever looked into:
-- as text that is JSON they cost a third of what PostgreSQL's own form costs,
-- which is taken apart on the way in and put together on the way out.
ALTER TABLE sales ALTER COLUMN snapshot TYPE json USING snapshot::json;
ALTER TABLE documents ALTER COLUMN body TYPE json USING body::json;

-- +goose Down
ALTER TABLE documents ALTER COLUMN body TYPE jsonb USING body::jsonb;
ALTER TABLE sales ALTER COLUMN snapshot TYPE jsonb USING snapshot::jsonb;
