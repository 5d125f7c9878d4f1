# Spanwire in one container: the proxy and the PostgreSQL that it runs beside itself.
#   docker build -t spanwire .
#   docker run --init -p 127.0.0.1:5432:5432 -v spanwire:/var/lib/spanwire spanwire

FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# Install scripts are for the machine that a package runs on; what they would make here, the program makes where it runs.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY server ./server
COPY deploy/bundle.mjs deploy/remove-stale.mjs ./deploy/
# Makes the templates of new data directories as well, with the PostgreSQL that runs later.
RUN npm run build \
 && npm prune --omit=dev --ignore-scripts

FROM node:20-bookworm-slim
WORKDIR /app
# Whoever publishes the port decides who reaches it: inside the container every address is listened at.
ENV NODE_ENV=production \
    SPANWIRE_LISTEN=0.0.0.0:5432 \
    SPANWIRE_AUTH=trust \
    SPANWIRE_DATA_DIR=/var/lib/spanwire \
    SPANWIRE_HEALTH_LISTEN=0.0.0.0:8080
RUN install -d -o node -g node -m 0700 /var/lib/spanwire
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist/spanwire ./dist/spanwire
COPY --from=build /app/dist/templates ./dist/templates
COPY deploy/healthcheck.mjs ./deploy/
USER node
VOLUME /var/lib/spanwire
EXPOSE 5432 8080
HEALTHCHECK --interval=10s --timeout=8s --start-period=30s --retries=3 \
  CMD ["node", "deploy/healthcheck.mjs"]
ENTRYPOINT ["node", "dist/spanwire/main.js"]
