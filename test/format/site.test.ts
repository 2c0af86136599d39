import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type axe from 'axe-core';
import { outputFileSync } from 'fs-extra/esm';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RepositoryServer, serveRepository } from '../../src/repo/serve/serve.ts';
import { siteFixture, siteOfFixture } from '../support/site-fixture.ts';
import { hasTool } from '../support/tools.ts';

/** Nothing but the page itself: no services of the browser's own, no profile of anybody. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const PHONE = { width: 390, height: 844 };
const DESKTOP = { width: 1280, height: 900 };
const PAGES = ['/', '/site/stable/v1.36.html', '/site/testing/v1.37.html'];
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
/** Set to keep pictures of the pages. */
const PICTURES = process.env.KUBEPARCEL_SITE_PICTURES;

describe.skipIf(!hasTool('chromium'))('the site in Chromium', () => {
  let directory: string;
  let server: RepositoryServer;
  let browser: Browser;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'kubeparcel-test-'));
    const { index } = siteFixture();
    const keys = ['1.36', '1.37'].flatMap((minor) =>
      ['stable', 'testing'].map((channel) => `core:/${channel}:/v${minor}/deb/Release.key`),
    );
    const stand = [...index.packages.map(({ path }) => path), ...keys, 'index.json'].map((path) => ({
      path,
      text: '',
    }));
    for (const { path, text } of [...stand, ...(await siteOfFixture())]) {
      outputFileSync(join(directory, path), text);
    }
    server = await serveRepository(directory, { port: 0, host: '127.0.0.1' });
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  async function open(
    path: string,
    viewport: { readonly width: number; readonly height: number },
    colorScheme: 'light' | 'dark' = 'light',
  ): Promise<Page> {
    // Without script: what the page needs, it has. The tests' own are let in by the protocol.
    const context = await browser.newContext({ viewport, colorScheme, bypassCSP: true });
    const page = await context.newPage();
    const foreign: string[] = [];
    page.on('request', (request) => {
      if (!request.url().startsWith(server.url) && !request.url().startsWith('data:')) foreign.push(request.url());
    });
    const response = await page.goto(`${server.url}${path}`);
    expect(response?.status()).toBe(200);
    expect(foreign).toEqual([]);
    return page;
  }

  test.each(PAGES)('%s fits a phone and a desktop', async (path) => {
    for (const [name, viewport] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
      for (const colors of ['light', 'dark'] as const) {
        const page = await open(path, viewport, colors);
        const widths = await page.evaluate('document.documentElement.scrollWidth');
        expect(widths, `${name} ${path}`).toBe(viewport.width);
        if (PICTURES !== undefined) {
          const picture = `${path.replace(/\W+/g, '-')}-${name}-${colors}.png`;
          await page.screenshot({
            path: join(PICTURES, picture),
            fullPage: name === 'phone' ? colors === 'light' : true,
          });
        }
        await page.context().close();
      }
    }
  });

  test.each(PAGES)('%s: axe reports no violations, in both colour schemes and widths', async (path) => {
    const source = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
    for (const [viewport, colors] of [
      [PHONE, 'dark'],
      [DESKTOP, 'light'],
      [DESKTOP, 'dark'],
    ] as const) {
      const page = await open(path, viewport, colors);
      await page.evaluate('for (const each of document.querySelectorAll("details")) each.open = true');
      await page.addScriptTag({ path: source });
      const { violations } = await page.evaluate<axe.AxeResults>(
        `axe.run(document, { runOnly: ${JSON.stringify(RULES)} })`,
      );
      expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html.slice(0, 200))])).toEqual([]);
      await page.context().close();
    }
  });

  test('Tab reaches the skip link first, then every link, block and version; focus is visible', async () => {
    const page = await open('/site/stable/v1.36.html', DESKTOP);
    const wanted = await page.locator('pre, a, summary').count();
    const hidden = await page.locator('details:not([open]) a, details:not([open]) pre').count();
    const reached = new Set<string>();
    for (let count = 0; count < wanted + 5; count++) {
      await page.keyboard.press('Tab');
      const [name, outline] = await page.evaluate<[string, string]>(`(() => {
        const active = document.activeElement;
        const all = [...document.querySelectorAll('pre, a, summary')];
        return active === null || active === document.body
          ? ['', '']
          : [all.indexOf(active) + ' ' + active.tagName, getComputedStyle(active).outlineStyle];
      })()`);
      if (name === '') continue;
      if (count === 0) expect(name).toBe('0 A');
      expect(outline, name).toBe('solid');
      reached.add(name);
    }
    expect(reached.size).toBe(wanted - hidden);
    expect([...reached].filter((name) => name.endsWith('PRE'))).toHaveLength(await page.locator('pre').count());
    await page.context().close();
  });

  test('one click selects a whole block of commands', async () => {
    const page = await open('/', DESKTOP);
    const block = page.locator('pre').filter({ hasText: 'sources.list.d' });
    await block.locator('code').click();
    const selected = await page.evaluate<string>('String(getSelection())');
    expect(selected.trim()).toBe(
      'echo "deb [signed-by=/etc/apt/keyrings/kubernetes.asc] https://packages.example.org/kubernetes/core:/stable:/v1.36/deb/ /" \\\n' +
        '  | sudo tee /etc/apt/sources.list.d/kubernetes.list',
    );
    await page.context().close();
  });

  test('every link points to a file in the repository', async () => {
    const links = new Set<string>();
    for (const path of [...PAGES, '/site/stable/v1.35.html']) {
      const page = await open(path, DESKTOP);
      const found = await page.evaluate<string[]>('[...document.links].map((link) => link.href)');
      for (const link of found) links.add(link.replace(/#.*$/, ''));
      await page.context().close();
    }
    expect(links.size).toBeGreaterThan(60);
    for (const link of links) {
      expect(link.startsWith(`${server.url}/`), link).toBe(true);
      if (!/v1\.(9|35)\b/.test(link)) expect((await fetch(link, { method: 'HEAD' })).status, link).toBe(200);
    }
  });

  test('the pages work without JavaScript', async () => {
    const context = await browser.newContext({ viewport: PHONE, javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(server.url);
    expect(await page.locator('h1').textContent()).toBe('Kubernetes node packages');
    await page.getByRole('link', { name: 'Kubernetes 1.36' }).click();
    expect(await page.locator('h1').textContent()).toBe('Kubernetes 1.36');
    await context.close();
  });
});
