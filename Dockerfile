# A node of Catalog in a container (docs/containers.md):
#
#   docker build -t catalog:local .
#   docker run --read-only --tmpfs /tmp -v catalog-home:/var/lib/catalog -p 4747:4747/udp -p 4747:4747/tcp catalog:local
#
# Nothing in it is a feature of one builder: BuildKit and the older one make the same image.
ARG BASE=node:24-bookworm-slim

FROM ${BASE} AS build
WORKDIR /build
# What is installed changes seldom: with the sources left out, this layer is made anew only when it does.
COPY package.json package-lock.json ./
COPY test/compliance/aegir test/compliance/aegir
# No script of a package is needed: the addons come built, and the Node that the project brings for other machines is here.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
# With the Node that will run it: the code caches are good for no other.
RUN node scripts/bundle.ts && node scripts/runtime-modules.ts /image/node_modules \
  && mkdir -p /image/dist && cp -r bin LICENSE /image/ \
  && find dist -type f ! -name '*.map' -exec cp {} /image/dist/ \;

FROM ${BASE}
# A number, so that an orchestrator can see that it is not root. The home is open to its owner alone, as the daemon demands;
# what containers hand each other, such as an invite, goes into a volume on /run/catalog.
RUN groupadd --gid 4747 catalog \
  && useradd --uid 4747 --gid 4747 --home-dir /var/lib/catalog --no-create-home --shell /usr/sbin/nologin catalog \
  && install -d -m 0700 -o 4747 -g 4747 /var/lib/catalog \
  && install -d -m 0755 -o 4747 -g 4747 /run/catalog \
  && ln -s /opt/catalog/bin/catalog.cjs /usr/local/bin/catalog
COPY --from=build /image /opt/catalog
COPY testnet/containers/start.sh /usr/local/bin/catalog-start
ENV CATALOG_HOME=/var/lib/catalog NODE_ENV=production
USER 4747:4747
WORKDIR /var/lib/catalog
VOLUME /var/lib/catalog
EXPOSE 4747/udp 4747/tcp
STOPSIGNAL SIGTERM
# Fails while no daemon answers on the socket. A home that is migrated first may take its time.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["catalog", "status", "--json"]
CMD ["catalog-start"]
