from ingest.sample.commands import app

app()
