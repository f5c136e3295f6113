import json,sys,collections
a=open(sys.argv[1]); b=open(sys.argv[2]); lim=int(sys.argv[3]) if len(sys.argv)>3 else 10
only=sys.argv[4] if len(sys.argv)>4 else None
tot=0;bad=collections.Counter();shown=0
for la,lb in zip(a,b):
    x=json.loads(la);y=json.loads(lb);tot+=1
    for k in x:
        if x[k]!=y.get(k):
            bad[k]+=1
            if shown<lim and (only is None or k==only):
                shown+=1
                print("=====",x['name'],k)
                gl=x[k].split('\n');ol=y[k].split('\n')
                for i in range(max(len(gl),len(ol))):
                    g=gl[i] if i<len(gl) else None;o=ol[i] if i<len(ol) else None
                    if g!=o:
                        print(" line",i+1);print("  go  ",repr(g)[:300]);print("  ours",repr(o)[:300]);break
            break
print(tot,dict(bad))
