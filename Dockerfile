# The application alone: PostgreSQL and Valkey run beside it (docker-compose.yml). The image is prepared by the
# same launcher as any machine; the two addresses only tell it not to install a private database.
FROM debian:bookworm-slim

RUN useradd --create-home --home-dir /srv/repere repere \
    && install -d -o repere -g repere /var/lib/repere /var/lib/repere/files
WORKDIR /srv/repere
COPY --chown=repere:repere . .
ENV LANG=C.UTF-8 REPERE_HOME=/var/lib/repere REPERE_HOST=0.0.0.0 REPERE_PORT=8000

RUN REPERE_DATABASE_URL=compose REPERE_BROKER_URL=compose ./repere install --system \
    && rm -rf /var/lib/apt/lists/*
USER repere
RUN REPERE_DATABASE_URL=compose REPERE_BROKER_URL=compose ./repere install \
    && rm -rf "$HOME/.cache"

EXPOSE 8000
VOLUME /var/lib/repere/files
HEALTHCHECK --interval=15s --timeout=5s --start-period=90s CMD ["./repere", "status"]
CMD ["./repere", "up"]
