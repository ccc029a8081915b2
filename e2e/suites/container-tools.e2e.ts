import { deepEqual, equal, match } from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createBuildah, isBuildahAvailable } from '../support/buildah.ts';
import { endToEndRequired } from '../support/components.ts';
import { at } from '../support/kubernetes-objects.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkDirectory } from '../support/work-directory.ts';

const CONTAINERFILE = `
ARG BASE=base.test/without/anything
FROM base.test/with/shell AS build
WORKDIR /made
RUN echo "made by a shell" > here
FROM \${BASE}
COPY --from=build /made /made
ENV GREETING=hello
USER 65532:65532
WORKDIR /made
ENTRYPOINT ["/node"]
CMD ["--version"]
`;
const LOOK = `
const { getuid, getgid, getgroups, cwd, env } = process;
const writes = (path) => { try { fs.writeFileSync(path, ''); return 'written'; } catch (error) { return error.code; } };
const status = fs.readFileSync('/proc/self/status', 'utf8');
console.log(JSON.stringify({
  user: [getuid(), getgid(), getgroups()], cwd: cwd(), env, here: fs.readFileSync('here', 'utf8'),
  root: fs.readdirSync('/').sort(), writes: ['/made/x', '/x', '/tmp/x', '/in/x', '/out/x'].map(writes),
  rights: /CapEff:\\t(.*)/.exec(status)[1], noNewRights: /NoNewPrivs:\\t(.*)/.exec(status)[1],
}));
process.on('SIGTERM', () => process.exit(3));
setInterval(() => {}, 1e9);
`;

// What the suite of the container file stands on.
test(
  'an image is built from a container file, and runs as a read-only pod would',
  { skip: !isBuildahAvailable() && !endToEndRequired() && 'it needs buildah (a package of Debian) and root' },
  async (t) => {
    const directory = await createWorkDirectory('container-tools');
    const buildah = await createBuildah(directory);
    t.after(() => buildah.remove());
    const links = { bin: 'usr/bin', lib: 'usr/lib', lib64: 'usr/lib64' };
    await buildah.standIn('base.test/with/shell', { links, folders: ['/usr'] });
    await buildah.standIn('base.test/without/anything', { programs: { '/node': process.execPath } });
    const context = join(directory, 'context');
    await mkdir(context);
    const containerfile = join(directory, 'Containerfile');
    await writeFile(containerfile, CONTAINERFILE);
    const options = { image: 'portcullis.test/tried', containerfile, context, hostFolders: ['/usr'] };
    const built = await buildah.build(options);
    equal(built.code, 0, built.stderr);
    const failed = await buildah.build({ ...options, args: { BASE: 'base.test/nowhere' } });
    match(failed.stderr, /base\.test\/nowhere/);

    const config = await buildah.config('portcullis.test/tried');
    equal(at(config, 'User'), '65532:65532');
    const folders = [join(directory, 'in'), join(directory, 'out')] as const;
    for (const folder of folders) {
      await mkdir(folder);
      await chmod(folder, 0o777);
    }
    const child = await buildah.run({
      image: 'portcullis.test/tried',
      args: ['--eval', LOOK],
      env: { LANG: 'C' },
      volumes: [
        { host: folders[0], path: '/in' },
        { host: folders[1], path: '/out', writable: true },
      ],
      logFile: join(directory, 'container.log'),
    });
    await waitUntil(() => child.logs().includes('\n') || child.exit(), { what: 'the container to speak' });
    const seen: unknown = JSON.parse(child.logs());
    equal(at(seen, 'here'), 'made by a shell\n');
    deepEqual(at(seen, 'user'), [65532, 65532, [65532]]);
    equal(at(seen, 'cwd'), '/made');
    equal(at(seen, 'env', 'GREETING'), 'hello');
    equal(at(seen, 'env', 'HOME'), undefined);
    deepEqual(at(seen, 'writes'), ['EROFS', 'EROFS', 'written', 'EROFS', 'written']);
    deepEqual([at(seen, 'rights'), at(seen, 'noNewRights')], ['0000000000000000', '1']);
    deepEqual(await child.stop(), { code: 3, signal: null });
  },
);
