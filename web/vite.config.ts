import { defineConfig } from 'vite';

// The API the development server passes requests to: `npm run dev` beside a running `civicbrain run CITY`.
const API = process.env['CIVICBRAIN_API'] ?? 'http://127.0.0.1:8080';

export default defineConfig({
  base: './',
  build: {
    target: 'es2022',
    sourcemap: false,
    assetsInlineLimit: 0, // no data: addresses, so that a strict content-security policy holds
    chunkSizeWarningLimit: 2500,
  },
  server: { proxy: { '/v1': { target: API, ws: true } } },
});
