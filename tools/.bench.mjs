import fs from 'fs';
const bytes=fs.readFileSync(process.argv[2]); const settings=JSON.parse(process.argv[3]??'{}');
const pod={apiVersion:'v1',kind:'Pod',metadata:{name:'web-7d9f',namespace:'shop',labels:{app:'web',tier:'front'},annotations:{},managedFields:[]},spec:{containers:[],initContainers:[{name:'init',image:'docker.io/library/busybox:1.36',command:['sh','-c','echo hi']}],volumes:[{name:'kube-api-access',projected:{sources:[{serviceAccountToken:{expirationSeconds:3607,path:'token'}},{configMap:{name:'kube-root-ca.crt',items:[{key:'ca.crt',path:'ca.crt'}]}}]}}],serviceAccountName:'default',tolerations:[{key:'node.kubernetes.io/not-ready',operator:'Exists',effect:'NoExecute',tolerationSeconds:300}]}};
let n=0; const make=()=>JSON.stringify({operation:'CREATE',namespace:'shop',name:'web',userInfo:{username:'ana',groups:['system:authenticated'],extra:{}},context:{},object:pod,pluginConfig:settings});
while(make().length<5600){ pod.spec.containers.push({name:'c'+n,image:`registry.k8s.io/team/app${n}:1.2.${n}`,ports:[{containerPort:8080,protocol:'TCP'}],env:[{name:'A',value:'some value'},{name:'PASSWORD',valueFrom:{secretKeyRef:{name:'s',key:'k'}}}],resources:{requests:{cpu:'100m',memory:'128Mi'},limits:{cpu:'1',memory:'256Mi'}},volumeMounts:[{name:'kube-api-access',mountPath:'/var/run/secrets',readOnly:true}],livenessProbe:{httpGet:{path:'/healthz',port:8080},periodSeconds:10}}); n++; }
const input=Buffer.from(make());
let out; let mem; const env={get_input_len:()=>input.length, read_input:(p,l)=>{const c=Math.min(l>>>0,input.length); new Uint8Array(mem.buffer,p,c).set(input.subarray(0,c)); return c;}, write_output:(p,l)=>{out=Buffer.from(mem.buffer.slice(p,p+l)); return 0;}, log_message(){} };
const inst=new WebAssembly.Instance(new WebAssembly.Module(bytes),{env}); mem=inst.exports.memory;
const snap=process.argv.includes('reset')?new Uint8Array(mem.buffer.slice(0)):null;
const globals=Object.values(inst.exports).filter(g=>g instanceof WebAssembly.Global);
const once=()=>{ const r=inst.exports.validate(); if(snap) {new Uint8Array(mem.buffer).set(snap);} return r; };
console.log('input',input.length,'containers',n,'rc',once(),out.toString().slice(0,300));
for(let i=0;i<20000;i++) once();
const t=[];for(let k=0;k<7;k++){const s=process.hrtime.bigint();for(let i=0;i<5000;i++) once(); t.push(Number(process.hrtime.bigint()-s)/5000/1000);} t.sort((a,b)=>a-b); console.log('us per evaluation: min',t[0].toFixed(2),'median',t[3].toFixed(2),'pages',mem.buffer.byteLength/65536);
