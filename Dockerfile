# A gateway. Redis or Valkey is another container: see docker-compose.yml.
#
# The image holds the repository as it is checked out: sources run as they stand, and Node reads no TypeScript below node_modules, where a
# packed installation would put them. The version is that of the npm package `node` in package.json.
FROM node:24.21.0-trixie-slim

WORKDIR /petak

# For the dependencies alone, so that a change of the sources does not install them anew.
COPY package.json package-lock.json .npmrc ./
COPY packages/protocol/package.json packages/protocol/
COPY packages/lifecycle/package.json packages/lifecycle/
COPY packages/credential/package.json packages/credential/
COPY packages/redis/package.json packages/redis/
COPY packages/allocator/package.json packages/allocator/
COPY packages/records/package.json packages/records/
COPY packages/client/package.json packages/client/
COPY packages/ui/package.json packages/ui/
COPY packages/picker/package.json packages/picker/
COPY packages/store-app/package.json packages/store-app/
COPY packages/conformance/package.json packages/conformance/
COPY packages/agent/package.json packages/agent/
COPY packages/gateway/package.json packages/gateway/
COPY packages/testkit/package.json packages/testkit/
COPY packages/cli/package.json packages/cli/
COPY packages/cli/bin packages/cli/bin/
COPY simulator/package.json simulator/
COPY bench/package.json bench/
COPY bench/k6/package.json bench/k6/
COPY examples/package.json examples/
COPY e2e/package.json e2e/
RUN npm ci --omit=dev && npm cache clean --force

COPY packages packages
COPY simulator simulator
# The shop, for who tries the network. It bundles the picker by itself, for which esbuild reads the last one.
COPY examples examples
COPY tsconfig.base.json ./
RUN install -d -o node -g node /data

ENV NODE_ENV=production PETAK_HOST=0.0.0.0 PETAK_PORT=8420 PETAK_MANAGEMENT=127.0.0.1:9420 PETAK_DATA_DIR=/data

USER node
VOLUME /data
EXPOSE 8420
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "--eval", "fetch('http://127.0.0.1:' + process.env.PETAK_MANAGEMENT.split(':').at(-1) + '/readyz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Node itself, so that it hears a stop and ends in good order.
CMD ["node", "--disable-warning=ExperimentalWarning", "packages/cli/src/main.ts", "gateway"]
