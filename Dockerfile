# The gateway as an image: one stage builds, one installs the production dependencies, and the last one has only their
# results. It runs as an unprivileged user on a read-only file system.
#   docker build -t e2b-code-mode .
#   docker run --read-only -p 3000:3000 -e ALLOWED_HOSTS=localhost e2b-code-mode

FROM node:24.21.0-bookworm-slim AS build
WORKDIR /app
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
RUN npx -y pnpm@10.34.9 install --frozen-lockfile
COPY build.mjs third-party.mjs ./
COPY src ./src
COPY local ./local
COPY licenses ./licenses
COPY web ./web
COPY openapi ./openapi
RUN npm run --silent build

FROM node:24.21.0-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
RUN npx -y pnpm@10.34.9 install --prod --frozen-lockfile

FROM node:24.21.0-bookworm-slim
# Threads share two arenas of malloc's: each of its own would keep what it once needed. The container has its processors
# for itself, so what computes for one caller gives way to what serves all.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 MALLOC_ARENA_MAX=2 THREAD_NICE=15
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE ./
COPY openapi/*.yaml ./openapi/
USER 1000:1000
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then(answer => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/main.js"]
