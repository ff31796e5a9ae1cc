import { describe, expect, it } from 'vitest';
import type { Route } from '../../../../src/agent/api/route.ts';
import { Router } from '../../../../src/agent/api/router.ts';

const route = (method: Route['method'], path: string): Route => ({
  method,
  path,
  id: `${method} ${path}`,
  summary: '',
  answer: {},
  handle: () => undefined,
});

const router = new Router([
  route('GET', '/things'),
  route('POST', '/things'),
  route('GET', '/things/{name}'),
  route('GET', '/things/special'),
  route('GET', '/places/{namespace}/things/{name}'),
]);

describe('the router', () => {
  it.each([
    ['GET', '/things', 'GET /things', {}],
    ['POST', '/things', 'POST /things', {}],
    ['GET', '/things/a', 'GET /things/{name}', { name: 'a' }],
    ['GET', '/things/special', 'GET /things/special', {}],
    ['GET', '/things/a%2Fb', 'GET /things/{name}', { name: 'a/b' }],
    ['GET', '/things/%7Bname%7D', 'GET /things/{name}', { name: '{name}' }],
    ['GET', '/places/x/things/y', 'GET /places/{namespace}/things/{name}', { namespace: 'x', name: 'y' }],
  ])('finds for %s %s the route %s with %j', (method, path, id, params) => {
    const found = router.find(method, path);
    expect([found?.route?.id, found?.params]).toEqual([id, params]);
  });

  it.each(['/thing', '/things/a/b', '/places', '/places/x/things', '/places/x/other/y'])('knows no path %s', (path) => {
    expect(router.find('GET', path)).toBeUndefined();
  });

  it('knows which methods a path has', () => {
    expect(router.find('DELETE', '/things')).toMatchObject({ route: undefined, methods: ['GET', 'POST'] });
  });

  it.each([
    '',
    'things',
    '//',
    '/things/',
    '/things//a',
    '/things/.',
    '/things/..',
    '/things/%2e%2e',
    '/things/%',
    '/things/%ff',
    '/things/%00',
    `/${'a'.repeat(5000)}`,
  ])('refuses %j', (path) => {
    expect(() => router.find('GET', path)).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }));
  });
});
