// Profiles that endpoints count on, and profile rules that deny by passing.
import type { Resource } from '../../../resources/resource.ts';
import { memberName } from '../../object-names.ts';
import { findingAbout, type LintContext } from '../context.ts';
import type { Finding } from '../finding.ts';
import { count, listSome } from '../wording.ts';

const NAMESPACE_PROFILE = 'kns.';
const SERVICE_ACCOUNT_PROFILE = 'ksa.';

export function checkProfiles(context: LintContext): Finding[] {
  return [...checkMissing(context), ...checkPasses(context)];
}

/** One finding for each profile, at the first endpoint that lists it. */
function checkMissing({ resources, world }: LintContext): Finding[] {
  const users = new Map<string, { resource: Resource; names: string[]; isFirst: boolean }>();
  const byLocation = new Map(resources.map((resource) => [resource.location, resource]));
  for (const endpoint of [...world.workloadEndpoints.values(), ...world.hostEndpoints.values()]) {
    const resource = byLocation.get(endpoint.location);
    if (resource === undefined) continue;
    for (const [index, profile] of endpoint.profiles.entries()) {
      if (world.profiles.has(profile)) continue;
      const known = users.get(profile) ?? { resource, names: [], isFirst: false };
      known.names.push(memberName(endpoint));
      known.isFirst ||= index === 0;
      users.set(profile, known);
    }
  }
  return [...users].map(([profile, { resource, names, isFirst }]) => {
    const message = `profile ${profile} does not exist, but is listed by ${count(names.length, 'endpoint')}: ${listSome(names)}`;
    const path = resource.type === 'Pod' ? [] : ['spec', 'profiles'];
    // A service account's profile comes after the namespace's, which decides: only labels are missing.
    const isHarmless = profile.startsWith(SERVICE_ACCOUNT_PROFILE) && !isFirst;
    const details = { path, hint: missingHint(profile), ...(isHarmless ? { severity: 'note' as const } : {}) };
    return findingAbout(resource, 'missing-profile', message, details);
  });
}

function missingHint(profile: string): string {
  if (profile.startsWith(NAMESPACE_PROFILE)) {
    return `add the Namespace ${profile.slice(NAMESPACE_PROFILE.length)} to the manifests`;
  }
  if (!profile.startsWith(SERVICE_ACCOUNT_PROFILE)) return 'define the Profile, or take it off the list';
  const [namespace, ...name] = profile.slice(SERVICE_ACCOUNT_PROFILE.length).split('.');
  return `add the ServiceAccount ${namespace}/${name.join('.')} to the manifests`;
}

function checkPasses({ subjects }: LintContext): Finding[] {
  return [...subjects.values()]
    .filter(({ owner, rule }) => owner.kind === 'profile' && rule.action === 'pass')
    .map(({ owner, direction, index, place }) =>
      findingAbout(
        owner.resource,
        'pass-into-nothing',
        `${direction} rule ${index} passes, which denies in a profile`,
        {
          path: place,
          hint: 'write Deny',
        },
      ),
    );
}
