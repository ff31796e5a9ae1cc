// URLs of exporters as logs, `tortie config` and support bundles show them: without what lets somebody send in our name. Many
// receivers have a token in the path.
const HIDDEN = '***';
const PARTS = /^([a-z+]+:\/\/)([^/?#]*@)?([^/?#]*)([^#]*)(#.*)?$/i;

/** URLs separated by blanks; what is none stays as it is but for what looks like a user. */
export function showUrls(urls: string): string {
  return urls.split(/(\s+)/).map(showUrl).join('');
}

function showUrl(url: string): string {
  const [, scheme = '', user, host = '', path = '', options = ''] = PARTS.exec(url) ?? [];
  if (scheme === '') return url;
  const isHttp = /https?:\/\/$/i.test(scheme);
  const shownPath = isHttp && path !== '' && path !== '/' ? `/${HIDDEN}` : path;
  return `${scheme}${user === undefined ? '' : `${HIDDEN}@`}${host}${shownPath}${options}`;
}
